"""What all that train share: progress, labels, processes, files of models, persistence."""
