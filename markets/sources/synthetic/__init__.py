"""The built-in simulated exchange: no network, no keys, the same world for the same seed.

PLANTED INEFFICIENCIES - whatever a strategy earns here, it earns from these, not from skill:

- In about a third of the markets the price carries a slow, large, mean-reverting shock (an
  Ornstein-Uhlenbeck process in logit: half-life 35 to 70 minutes, deviation 0.11 to 0.20) under a
  spread of mostly one tick. Fading it pays. All other markets are martingales with a little
  bounce, and fading them costs money.
- While a shock lifts an outsider (or sinks a favorite) beyond two deviations it may be a false
  rumor: the event is then decided within about half an hour, and the outsider loses. Who faded
  the shock is paid.
- Shocks of an event's outcomes are independent, so YES prices of one neg-risk event need not sum
  to one: its outcomes can be bought or sold as a set at a profit now and then.
- About three reads in a thousand are bad (torn, ghost, crossed, missing, mirror gap). They are
  there to be refused and counted; a strategy that trades on one has a bug.

`docs/synthetic-exchange.md` says the same with the numbers.
"""

from markets.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
