// A clicked point raises `act` with what its customdata begins with; so does a change of the theme.
const bound = new WeakSet();
const bind = plot => {
  if (bound.has(plot) || !plot.on) return;
  bound.add(plot);
  plot.on('plotly_click', event => {
    const given = event.points[0] && event.points[0].customdata;
    const at = Array.isArray(given) ? given[0] : given;
    if (at) trigger('act', {do: 'choose', at, many: event.event.shiftKey});
  });
};
const home = element.closest('.tabitem') || document.body;
const look = () => home.querySelectorAll('.js-plotly-plot').forEach(bind);
new MutationObserver(look).observe(home, {childList: true, subtree: true});
// Plotly's own button knows how to save a picture; the page's link presses it.
document.addEventListener('click', event => {
  const link = event.target.closest && event.target.closest('[data-picture-of]');
  if (!link || !home.contains(link)) return;
  event.preventDefault();
  const camera = '.modebar-btn[data-title*="png" i]';
  const found = document.querySelector('#' + link.dataset.pictureOf + ' ' + camera);
  if (found) found.click();
});
let told = null;
const tell = () => {
  const theme = document.body.classList.contains('dark') ? 'dark' : 'light';
  if (theme !== told) trigger('act', {do: 'theme', theme: told = theme});
};
new MutationObserver(tell).observe(document.body, {attributes: true, attributeFilter: ['class']});
setTimeout(tell, 0);
