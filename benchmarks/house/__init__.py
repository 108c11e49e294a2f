"""The figures of the house: what every user meets, whatever they look for."""
