// Marks the theme that was chosen, and chooses another one.
const mark = () => {
  for (const choice of element.querySelectorAll('[data-theme]'))
    choice.setAttribute('aria-pressed', choice.dataset.theme === workbenchTheme.chosen());
};
element.addEventListener('click', event => {
  const choice = event.target.closest('[data-theme]');
  if (choice) { workbenchTheme.choose(choice.dataset.theme); mark(); }
});
mark();
