"""The arithmetic of training runs: operations, hours, energy, carbon, money.

Pure functions on numbers or arrays; which figures to put in, and where they come from, is the
work of `tradespace.cost.price.price`.
"""

from __future__ import annotations

JOULES_PER_KWH = 3.6e6
GRAMS_PER_LB = 453.59237
#: Operations of a day at a Peta-operation a second.
FLOP_PER_PETAFLOP_DAY = 1e15 * 86400
#: Of a year of 365.25 days.
HOURS_PER_YEAR = 8766.0


def training_flop(
    *, parameters: float, tokens: float, flop_per_parameter_token: float = 6.0
) -> float:
    """Return the operations of training a transformer.

    Two a parameter and token in the forward pass, four in the backward pass; where a token
    meets half of the parameters (an encoder-decoder) it is 3 in all. Attention scores are left
    out, as is usual.

    Parameters
    ----------
    parameters, tokens : float
        Parameters that take part in products; tokens seen in training.
    flop_per_parameter_token : float
        Operations for each parameter and token.

    References
    ----------
    T. Brown et al., "Language Models are Few-Shot Learners", 2020, appendix D.
    arXiv:2005.14165

    Examples
    --------
    >>> training_flop(parameters=175e9, tokens=300e9)
    3.15e+23

    """
    return flop_per_parameter_token * parameters * tokens


def petaflop_days(flop: float) -> float:
    """Return operations as days at a Peta-operation a second.

    Examples
    --------
    >>> round(petaflop_days(3.14e23))
    3634

    """
    return flop / FLOP_PER_PETAFLOP_DAY


def chip_hours_of(*, flop: float, rate_flop_per_s: float) -> float:
    """Return the hours that one chip needs, at the rate that it really reaches.

    Examples
    --------
    >>> round(chip_hours_of(flop=3.14e23, rate_flop_per_s=28e12))
    3115079

    """
    return flop / rate_flop_per_s / 3600


def flop_of(*, chips: float, hours: float, rate_flop_per_s: float) -> float:
    """Return the operations that chips do in some hours.

    Examples
    --------
    >>> f"{flop_of(chips=8, hours=12, rate_flop_per_s=9.5e12):.2g}"
    '3.3e+18'

    """
    return chips * hours * 3600 * rate_flop_per_s


def energy_of(*, power_w: float, hours: float, chips: float = 1.0, pue: float = 1.0) -> float:
    """Return the energy of a run, in joules.

    Parameters
    ----------
    power_w : float
        Average power of a chip; of the whole machine where `chips` is 1.
    hours : float
        Duration.
    chips : float
        How many.
    pue : float
        All power of the data center over that of its computers; 1 for the computers alone.

    Examples
    --------
    Transformer big: 84 h at 1515.43 W with a PUE of 1.58 take 201 kWh.

    >>> round(energy_of(power_w=1515.43, hours=84, pue=1.58) / JOULES_PER_KWH)
    201

    """
    return power_w * chips * hours * 3600 * pue


def carbon_of(*, energy_j: float, carbon_g_per_kwh: float) -> float:
    """Return grams of CO2 equivalents.

    Examples
    --------
    >>> round(carbon_of(energy_j=201.128 * JOULES_PER_KWH, carbon_g_per_kwh=432.72712)
    ...       / GRAMS_PER_LB)
    192

    """
    return energy_j / JOULES_PER_KWH * carbon_g_per_kwh


def energy_from_carbon(*, carbon_g: float, carbon_g_per_kwh: float) -> float:
    """Return the energy that emits some carbon, in joules.

    Examples
    --------
    >>> round(energy_from_carbon(carbon_g=426.0, carbon_g_per_kwh=426.0))
    3600000

    """
    return carbon_g / carbon_g_per_kwh * JOULES_PER_KWH


def implied_carbon_g_per_kwh(*, carbon_g: float, energy_j: float) -> float:
    """Return the intensity that a published pair of carbon and energy implies.

    Examples
    --------
    >>> round(implied_carbon_g_per_kwh(carbon_g=390e6, energy_j=910_000 * JOULES_PER_KWH), 1)
    428.6

    """
    return carbon_g / (energy_j / JOULES_PER_KWH)


def rent_of(*, chip_hours: float, usd_per_hour: float) -> float:
    """Return what renting chips costs, in USD.

    Examples
    --------
    >>> round(rent_of(chip_hours=3_115_079, usd_per_hour=1.50))
    4672618

    """
    return chip_hours * usd_per_hour


def electricity_of(*, energy_j: float, usd_per_kwh: float) -> float:
    """Return what energy costs, in USD.

    Examples
    --------
    >>> round(electricity_of(energy_j=82_252 * JOULES_PER_KWH, usd_per_kwh=0.12))
    9870

    """
    return energy_j / JOULES_PER_KWH * usd_per_kwh
