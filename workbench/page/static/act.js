// Controls of a place that raise its `act` event, and fields that keep what is typed.
// Runs once for each component. `element` stays when the value changes, its children do not.
const act = (source, more) => trigger('act', {...source.dataset, ...more});
// What is drawn anew loses the keyboard's focus: its successor gets it, unless the mouse is used.
let focused = null;
const sign = source => source.tagName + JSON.stringify({...source.dataset});
element.addEventListener('focusin', event => {
  const source = event.target.closest('[data-do]:not([contenteditable])');
  focused = source && sign(source);
});
element.addEventListener('focusout', event => { if (event.relatedTarget) focused = null; });
addEventListener('pointerdown', () => { focused = null; }, true);
const press = (source, event) => {
  if (source.dataset.confirm && !window.confirm(source.dataset.confirm)) return;
  act(source, {many: event.shiftKey || event.ctrlKey || event.metaKey});
  const goal = source.dataset.goto && document.querySelector(source.dataset.goto);
  goal?.scrollIntoView({block: 'start'});
};
// A drawing may make another button of one that is held down: then nothing is pressed.
let held = '';
element.addEventListener('pointerdown', event => {
  const source = event.target.closest('button[data-do]');
  held = source ? sign(source) : '';
});
element.addEventListener('click', event => {
  const source = event.target.closest('button[data-do]');
  const byKey = event.detail === 0;
  if (source && (byKey || sign(source) === held)) press(source, event);
});
element.addEventListener('change', event => {
  const source = event.target.closest('select[data-do], input[data-do]:not([type=text])');
  if (source) act(source, {value: source.type === 'checkbox' ? source.checked : source.value});
  if (source?.tagName === 'SELECT') setTimeout(() => goBack(source), 3000);
});
// A choice that was not kept, because it was refused or another one came at once.
const goBack = select => {
  const kept = [...select.options].find(option => option.defaultSelected);
  if (kept && select.isConnected) kept.selected = true;
};
// Fields that are typed in: kept when they are left or by Enter, taken back by Escape. What is
// typed outlives a drawing of the place, and an error; only what was kept elsewhere replaces it.
const FIELD = '[contenteditable][data-do], textarea[data-do], input[type=text][data-do]';
const read = field => field.isContentEditable ? field.innerText : field.value;
const write = (field, value) => {
  if (field.isContentEditable) field.innerText = value;
  else field.value = value;
};
// What the session has: a drawing may leave the element, and with it what is typed, as it is.
const stored = field => field.isContentEditable
  ? field.getAttribute('kept') ?? field.innerText : field.defaultValue;
const plain = value => value.split('\n')
  .map(line => line.trim().split(/\s+/).join(' ')).filter(Boolean).join('\n');
const typed = new Map();
let active = null;
element.addEventListener('focusin', event => {
  const field = event.target.closest(FIELD);
  active = field && sign(field);
  if (field && !typed.has(active)) typed.set(active, {was: stored(field), sent: false});
});
element.addEventListener('input', event => {
  const field = event.target.closest(FIELD);
  const entry = field && typed.get(sign(field));
  if (entry) { entry.value = read(field); entry.sent = false; }
});
element.addEventListener('focusout', event => {
  const field = event.target.closest(FIELD);
  const entry = field && typed.get(sign(field));
  if (!entry || !field.isConnected) return;
  active = null;
  if (plain(read(field)) === plain(entry.was)) typed.delete(sign(field));
  else if (!entry.sent) {
    entry.value = read(field);
    entry.sent = true;
    act(field, {value: entry.value});
  }
});
element.addEventListener('keydown', event => {
  const field = event.target.closest(FIELD);
  if (!field) return;
  const enter = event.key === 'Enter' && !event.isComposing
    && (field.tagName !== 'TEXTAREA' || event.ctrlKey || event.metaKey);
  if (!enter && event.key !== 'Escape') return;
  event.preventDefault();
  if (enter && typed.has(sign(field))) typed.get(sign(field)).sent = false;
  if (event.key === 'Escape') write(field, typed.get(sign(field))?.was ?? read(field));
  field.blur();
});
const putBack = () => {
  const fields = new Map([...element.querySelectorAll(FIELD)].map(next => [sign(next), next]));
  for (const [name, entry] of typed) {
    const next = fields.get(name);
    const keptNow = next && entry.sent && plain(stored(next)) !== plain(entry.was);
    if (keptNow) write(next, stored(next));
    if (!next || keptNow) { typed.delete(name); continue; }
    entry.was = stored(next);
    if (entry.value !== undefined) write(next, entry.value);
    if (name === active && document.activeElement === document.body) {
      next.focus();
      if (next.isContentEditable) getSelection().selectAllChildren(next);
      getSelection().collapseToEnd?.();
    }
  }
};
watch('value', () => {
  putBack();
  if (focused && document.activeElement === document.body)
    [...element.querySelectorAll('[data-do]')].find(next => sign(next) === focused)?.focus();
  for (const box of element.querySelectorAll('input[type=checkbox]'))
    box.checked = box.hasAttribute('checked');
  for (const list of element.querySelectorAll('select')) {
    const chosen = list.querySelector('option[selected]');
    if (chosen) list.value = chosen.value;
  }
});
