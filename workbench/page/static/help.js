// Opens the help panel, and does what the single keys say.
const dialog = element.querySelector('dialog');
const keys = dialog.querySelector('#help-keys');
keys.checked = localStorage.getItem('workbench-keys') !== 'off';
keys.addEventListener('change', () =>
  localStorage.setItem('workbench-keys', keys.checked ? 'on' : 'off'));
document.addEventListener('click', event => {
  if (event.target.closest('[data-help]')) dialog.showModal();
  else if (event.target === dialog) dialog.close();
});
const tabs = () => [...document.querySelectorAll('#tabs [role=tab][data-tab-id]')];
const open = tab => tabs().find(other => other.dataset.tabId === tab)?.click();
const isOpen = tab => tabs().find(other => other.dataset.tabId === tab)?.ariaSelected === 'true';
const visible = selector => [...document.querySelectorAll(selector)]
  .find(found => found.checkVisibility());
// What a tab holds may be drawn a moment after the tab is chosen.
const soon = (find, then, tries = 40) => {
  const found = find();
  if (found) then(found);
  else if (tries) setTimeout(() => soon(find, then, tries - 1), 25);
};
const FIELDS = '#search :is(input, textarea), #prompt :is(input, textarea), #say :is(input, textarea)';
const actions = {
  s: () => { open('edit'); soon(() => visible('#start:not([disabled])'), start => start.click()); },
  '/': () => visible(FIELDS)?.focus(),
  n: () => {
    const prompt = isOpen('probe') && visible('#prompt :is(input, textarea)');
    if (!prompt) return;
    prompt.value = '';
    prompt.dispatchEvent(new Event('input', {bubbles: true}));
    prompt.focus();
  },
  '?': () => dialog.showModal(),
};
for (const number of [1, 2, 3, 4, 5, 6])
  actions[number] = () => tabs()[number - 1]?.click();
const TYPED = 'textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])';
document.addEventListener('keydown', event => {
  if (!keys.checked || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat || event.isComposing || event.target.closest?.(TYPED)) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
