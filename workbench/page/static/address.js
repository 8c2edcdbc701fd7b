// Keeps the page's address at the session and the tab shown. `props.value` is the session shown.
// The address is written when it or the tab changes, except while Back or Forward is being followed
// (`following`): then it is right already.
const tabs = () => [...document.querySelectorAll('#tabs [role=tab][data-tab-id]')];
const isShown = tab => tab.getAttribute('aria-selected') === 'true';
const asked = name => new URLSearchParams(location.search).get(name);
let first = true;
let following = 0;
const write = () => {
  const tab = tabs().find(isShown);
  if (!props.value || !tab || following) return;
  const query = new URLSearchParams({session: props.value, tab: tab.dataset.tabId});
  const address = '?' + query;
  if (address !== location.search)
    history[first ? 'replaceState' : 'pushState'](null, '', address);
  first = false;
};
const choose = name => {
  const tab = tabs().find(tab => tab.dataset.tabId === name);
  if (tab && !isShown(tab)) tab.click();
};
const arrive = () => {
  clearTimeout(following);
  following = 0;
  first = true;
  write();
};
const begin = () => {
  if (!tabs().length) return setTimeout(begin, 20);
  choose(asked('tab'));
  new MutationObserver(write).observe(document.querySelector('#tabs'),
    {subtree: true, attributes: true, attributeFilter: ['aria-selected']});
  write();
};
begin();
watch('value', () => following ? arrive() : write());
addEventListener('popstate', () => {
  if (!asked('session')) return;
  clearTimeout(following);
  const elsewhere = asked('session') !== props.value;
  following = setTimeout(arrive, elsewhere ? 2500 : 200);
  choose(asked('tab'));
  if (elsewhere) trigger('act', {value: asked('session')});
});
