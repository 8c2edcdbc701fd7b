"""An edit where people run it: GGUF files, adapters, full models, task vectors, and what they say."""
