// Shows what a term means while it has the focus, by keyboard or by a finger; the mouse has its title.
// One place for all of them, above everything, so that no table that scrolls cuts it off.
const EXPLAINED = '.term, button[title]:is(.sort, .name), .segments button[title]';
const GAP = 6;
const place = element.querySelector('#meaning');
let word = null;
const hide = () => {
  word = null;
  place.hidden = true;
};
const show = () => {
  place.textContent = word.title;
  place.hidden = false;
  const at = word.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: height} = place;
  const isRoom = at.bottom + height + 2 * GAP < innerHeight;
  place.style.left = Math.max(GAP, Math.min(at.left, innerWidth - width - GAP)) + 'px';
  place.style.top = (isRoom ? at.bottom + GAP : at.top - height - GAP) + 'px';
};
document.addEventListener('focusin', event => {
  const found = event.target.closest(EXPLAINED);
  if (!found?.title || !found.matches('.term, :focus-visible')) return hide();
  word = found;
  show();
});
document.addEventListener('focusout', hide);
document.addEventListener('keydown', event => { if (event.key === 'Escape') hide(); });
// What has the focus is brought into view, after which it stands elsewhere.
addEventListener('scroll', () => {
  if (word?.isConnected) show();
  else hide();
}, {capture: true, passive: true});
