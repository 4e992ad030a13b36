"""The decorators: one wrapping mechanism (wrapping.py, template.py) and four thin declarations."""

from otel_trading.decorators.inference import inference
from otel_trading.decorators.orders import order_execution
from otel_trading.decorators.strategy import strategy_cycle
from otel_trading.decorators.timed import timed

__all__ = ["inference", "order_execution", "strategy_cycle", "timed"]
