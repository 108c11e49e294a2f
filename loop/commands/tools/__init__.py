"""Commands outside any campaign: potentials, data sets, single measurements, pretraining."""
