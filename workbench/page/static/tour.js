// Leads through a first edit: one step at a time, pointing at the step's control, or at the tab on
// which it is. `props.value` is what the session has come to, see `tour_signs`. The browser keeps
// the step, or that the tour is over, which is kept for good.
const KEPT = 'workbench-tour';
const OVER = 'over';
const LOOK_EVERY = 300;  // milliseconds; only while the tour is on
const PATIENT = 120;  // looks for a control, 50 milliseconds apart, on a machine that is busy
const AGAIN = 40;  // and after so many its tab is clicked once more
const GAP = 16;  // pixels between the card and what it must not cover
const card = () => document.querySelector('#tour');
const steps = () => [...card().querySelectorAll('[data-step]')];
const signs = () => Object.fromEntries(props.value.split(' ').map(pair => pair.split('=')));
const seen = selector => [...document.querySelectorAll(selector)]
  .find(found => found.checkVisibility());
const tabOf = step => `#tabs [role=tab][data-tab-id="${step.dataset.step}"]`;
const isOpen = step => seen(tabOf(step))?.ariaSelected === 'true';
// A sheet of the script's own follows the control through every drawing, and moves nothing. What
// stands in a box that cuts its edges off is ringed inside them.
const ring = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, ring];
const draw = selector => ring.replaceSync(selector
  ? `:is(${selector}) { outline: 3px solid var(--accent) !important; outline-offset: 3px; }
    :is(${selector}):is(tr, [role=tab]) { outline-offset: -3px; }` : '');
let at = -1;  // the step; -1 while the tour is not on
let since = null;  // the signs when it began
let looking = 0;
let drawn = '';
const target = step => {
  const points = isOpen(step) ? step.dataset.points.split(' | ') : [tabOf(step)];
  const point = points.find(seen);
  return point && {point, place: seen(point).getBoundingClientRect()};
};
const look = () => {
  const found = target(steps()[at]);
  if (drawn !== found?.point) draw(drawn = found?.point);
  if (!found) return;
  const {place} = found;
  const own = card().getBoundingClientRect();
  const isBeside = place.left > own.right + GAP || place.right < own.left - GAP;
  const low = innerHeight - own.height - 2 * GAP;
  const high = document.querySelector('#tabs .tab-wrapper').getBoundingClientRect().height
    + own.height + 2 * GAP;
  card().classList.toggle('up', !isBeside && place.bottom > low && place.top > high);
};
const show = () => {
  const {run} = signs();
  steps().forEach((step, number) => {
    step.hidden = number !== at;
    const other = step.querySelector('[data-without]');
    if (!other) return;
    other.hidden = run !== '';
    step.querySelector('[data-words]').hidden = run === '';
  });
  const [next, back] = ['next', 'back'].map(name => card().querySelector(`[data-${name}]`));
  next.textContent = at + 1 < steps().length ? 'Next' : 'Finish';
  if (at === 0 && back === document.activeElement) next.focus();
  back.hidden = at === 0;
  card().hidden = false;
  document.documentElement.classList.add('touring');
  clearInterval(looking);
  looking = setInterval(look, LOOK_EVERY);
  look();
};
const begin = step => {
  at = step;
  since = signs();
  localStorage.setItem(KEPT, step);
  show();
};
const end = () => {
  const hadFocus = card().contains(document.activeElement);
  at = -1;
  clearInterval(looking);
  draw(drawn = '');
  card().hidden = true;
  document.documentElement.classList.remove('touring');
  localStorage.setItem(KEPT, OVER);
  if (hadFocus) document.querySelector('[data-help]').focus();
};
// What a tab holds may be drawn a moment after the tab is chosen: the control itself is waited for,
// then what stands in its place is enough.
const lead = (then, tries = PATIENT, from = at) => {
  const step = steps()[at];
  if (!step || at !== from) return;
  if (!isOpen(step) && tries % AGAIN === 0) seen(tabOf(step))?.click();
  const found = isOpen(step) && target(step);
  const isIt = found && step.dataset.points.startsWith(found.point);
  if (!isIt && tries) return setTimeout(() => lead(then, tries - 1, from), 50);
  if (!found) return;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const goal = seen(found.point);
  goal.scrollIntoView({block: 'center', behavior: still ? 'auto' : 'smooth'});
  then?.(goal);
};
const CONTROL = 'button:not([disabled]), a[href], input, textarea, select, [contenteditable]';
const focus = goal => {
  const control = goal.matches(CONTROL) ? goal : goal.querySelector(CONTROL);
  if (!control) goal.tabIndex = -1;
  (control ?? goal).focus({preventScroll: true});
};
const go = step => {
  if (step >= steps().length) return end();
  begin(step);
  lead();
};
document.addEventListener('click', event => {
  if (event.target.closest('[data-tour]')) {
    document.querySelector('#help').close();
    go(0);
    card().querySelector('[data-next]').focus();
  }
  const button = event.target.closest('#tour button');
  if (!button) return;
  if ('next' in button.dataset) go(at + 1);
  else if ('back' in button.dataset) go(at - 1);
  else if ('there' in button.dataset) lead(focus);
  else end();
});
document.addEventListener('keydown', event => {
  const {activeElement: here} = document;
  const isHere = here === document.body || card()?.contains(here);
  if (at >= 0 && event.key === 'Escape' && isHere) end();
});
// Another tab of the browser goes on by itself; what is over there is over here.
addEventListener('storage', event => {
  if (at >= 0 && event.key === KEPT && event.newValue === OVER) end();
});
const follow = () => {
  if (!card() || !props.value) return;
  const now = signs();
  if (at < 0) {
    const kept = localStorage.getItem(KEPT);
    if (kept === null ? now.first === '1' : kept !== OVER) begin(Number(kept) || 0);
    return;
  }
  const {sign} = steps()[at].dataset;
  if (now.session !== since.session) since = now;
  else if (sign && now[sign] !== since[sign] && now[sign] !== '') return begin(at + 1);
  show();
};
watch('value', follow);
