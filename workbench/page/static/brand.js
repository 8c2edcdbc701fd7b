// Folds the sidebar of a narrow window, and leads the keyboard past it.
const fold = element.querySelector('.fold');
const sidebar = () => document.querySelector('#sidebar');
const unfold = open => {
  sidebar().classList.toggle('open', open);
  fold.setAttribute('aria-expanded', sidebar().classList.contains('open'));
};
element.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  document.querySelector('#tabs [role=tab][aria-selected=true]').focus();
});
fold.addEventListener('click', () => unfold());
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !fold.checkVisibility() || !sidebar().contains(event.target))
    return;
  unfold(false);
  fold.focus();
});
