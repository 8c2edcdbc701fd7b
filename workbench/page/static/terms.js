// Shows what a term means while it has the focus, by keyboard or by a finger; the mouse has its title.
// One place for all of them, above everything, so that no table that scrolls cuts it off.
const EXPLAINED = '.term, button[title]:is(.sort, .name), .segments button[title]';
const place = element.querySelector('#meaning');
const hide = () => { place.hidden = true; };
const show = word => {
  place.textContent = word.title;
  place.hidden = false;
  const at = word.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - place.offsetWidth - 8);
  const below = at.bottom + place.offsetHeight + 8 < innerHeight;
  place.style.left = Math.max(8, left) + 'px';
  place.style.top = (below ? at.bottom + 6 : at.top - place.offsetHeight - 6) + 'px';
};
document.addEventListener('focusin', event => {
  const word = event.target.closest(EXPLAINED);
  if (word?.title && (word.matches('.term') || word.matches(':focus-visible'))) show(word);
  else hide();
});
document.addEventListener('focusout', hide);
document.addEventListener('keydown', event => { if (event.key === 'Escape') hide(); });
addEventListener('scroll', hide, true);
