// Under the settings of a narrow window nobody would see the run begin.
document.addEventListener('click', event => {
  if (event.target.closest('#start') && window.innerWidth <= 900)
    document.querySelector('#run').scrollIntoView({behavior: 'smooth'});
});
