"""Real shifts -> reduced model: one matrix per process, projected."""
