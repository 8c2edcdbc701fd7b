"""An edit where people run it: GGUF files, adapters, full models, task vectors; asked there."""
