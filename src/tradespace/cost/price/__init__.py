"""What a training run costs in time, energy, money and carbon, with every assumption."""
