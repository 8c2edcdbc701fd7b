// Files that are dropped anywhere on the page go where facts are brought in, and its tab is shown.
// Runs once; places that take files themselves keep doing so.
const files = event => [...(event.dataTransfer?.types ?? [])].includes('Files');
const elsewhere = event => files(event) && !event.target.closest?.('.upload');
let leaving = 0;
const over = shown => document.documentElement.classList.toggle('dropping', shown);
addEventListener('dragover', event => {
  if (!elsewhere(event)) return;
  event.preventDefault();
  clearTimeout(leaving);
  leaving = setTimeout(() => over(false), 200);
  over(true);
});
addEventListener('drop', event => {
  over(false);
  if (!elsewhere(event)) return;
  event.preventDefault();
  const dropped = new DataTransfer();
  for (const file of event.dataTransfer.files) dropped.items.add(file);
  document.querySelector('#tabs [role=tab][data-tab-id=facts]')?.click();
  const hand = tries => {
    const input = document.querySelector('#facts-files input[type=file]');
    if (!input) return tries && setTimeout(() => hand(tries - 1), 100);
    input.files = dropped.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };
  hand(30);
});
