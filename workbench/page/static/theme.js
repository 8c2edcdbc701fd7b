// Gradio follows the system's light or dark. A choice made here is kept in the browser and put
// back whenever Gradio sets its own.
(() => {
  const chosen = () => localStorage.getItem('workbench-theme') || 'system';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const dark = chosen() === 'dark' || (chosen() === 'system' && system.matches);
    if (document.body && document.body.classList.contains('dark') !== dark)
      document.body.classList.toggle('dark', dark);
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  };
  window.workbenchTheme = {
    chosen,
    choose: name => { localStorage.setItem('workbench-theme', name); apply(); },
  };
  system.addEventListener('change', apply);
  const watch = () => {
    apply();
    new MutationObserver(apply).observe(
      document.body, {attributes: true, attributeFilter: ['class']});
  };
  if (document.body) watch();
  else document.addEventListener('DOMContentLoaded', watch);
})();
