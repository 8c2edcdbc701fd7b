// Puts "name=count" pairs beside the tabs' names.
watch('value', () => {
  const counts = Object.fromEntries(props.value.split(' ').map(pair => pair.split('=')));
  for (const tab of document.querySelectorAll('#tabs [role=tab]')) {
    const count = counts[tab.innerText.trim()];
    if (count && count !== '0') tab.dataset.count = count;
    else delete tab.dataset.count;
  }
});
