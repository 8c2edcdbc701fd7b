"""The Facts tab: type, paste or upload facts; find, tick, change, ask and delete them."""
