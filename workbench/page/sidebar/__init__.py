"""The sidebar: sessions, model, what runs now, which run is shown as after."""
