// Tables of buttons are walked with the arrow keys, and the keyboard's order holds one of them.
// What a button's name says is written above its table while it is pointed at.
const inside = target => target.closest?.('[data-arrows] td > button');
const said = button => {
  const table = button.closest('[data-arrows]');
  const place = table.querySelector('[data-said]');
  if (place) place.textContent = button.getAttribute('aria-label');
};
const silent = table => {
  const place = table.querySelector('[data-said]');
  if (place) place.textContent = place.dataset.said || place.textContent;
};
const step = (button, down, across) => {
  const rows = [...button.closest('[data-arrows]').querySelectorAll('tbody tr')];
  const cell = button.parentElement;
  let row = rows.indexOf(cell.parentElement);
  let column = cell.cellIndex;
  for (;;) {
    row += down;
    column += across;
    const next = rows[row]?.cells[column];
    if (!next || column < 1) return;
    if (next.firstElementChild?.tagName === 'BUTTON') return next.firstElementChild;
  }
};
const ends = (button, key) => {
  const all = [...button.closest('tr').querySelectorAll('td > button')];
  return key === 'Home' ? all[0] : all[all.length - 1];
};
const STEPS = {ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1]};
document.addEventListener('keydown', event => {
  const button = inside(event.target);
  if (!button || event.ctrlKey || event.metaKey || event.altKey) return;
  const way = STEPS[event.key];
  if (!way && !['Home', 'End'].includes(event.key)) return;
  event.preventDefault();
  (way ? step(button, ...way) : ends(button, event.key))?.focus();
});
document.addEventListener('focusin', event => {
  const button = inside(event.target);
  if (!button) return;
  for (const other of button.closest('[data-arrows]').querySelectorAll('button[tabindex="0"]'))
    other.tabIndex = -1;
  button.tabIndex = 0;
  said(button);
});
document.addEventListener('pointerover', event => {
  const button = inside(event.target);
  if (button) said(button);
});
document.addEventListener('pointerout', event => {
  const table = event.target.closest?.('[data-arrows]');
  if (table && !table.contains(event.relatedTarget)) silent(table);
});
