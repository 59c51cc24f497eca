"""What running and training a network costs: time, energy, money, carbon.

`latency` turns works and a processor into time, `calibration` does so from measurements,
`energy` and `training` hold the arithmetic, `price` prices a training run with every
assumption. Nothing is imported here.
"""
