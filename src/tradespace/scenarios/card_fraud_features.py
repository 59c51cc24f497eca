"""Features of card transactions, each as known at the time of the transaction.

The label of a transaction is known seven days later, so the risk of a terminal looks back from
there.
"""

from tradespace.features import EventSource, FeatureView, RowFeatures, count, hour, mean, weekday

transactions = EventSource("transactions", time="TX_DATETIME", id="TRANSACTION_ID")
WINDOWS = {"1DAY": "1d", "7DAY": "7d", "30DAY": "30d"}

clock = RowFeatures(
    "clock",
    transactions,
    {
        "TX_DURING_WEEKEND": weekday("TX_DATETIME") >= 5,
        "TX_DURING_NIGHT": hour("TX_DATETIME") <= 6,
    },
)
customer = FeatureView(
    "customer",
    transactions,
    "CUSTOMER_ID",
    [
        feature
        for label, window in WINDOWS.items()
        for feature in (
            count(window, name=f"CUSTOMER_ID_NB_TX_{label}_WINDOW"),
            mean("TX_AMOUNT", window, name=f"CUSTOMER_ID_AVG_AMOUNT_{label}_WINDOW"),
        )
    ],
)
terminal = FeatureView(
    "terminal",
    transactions,
    "TERMINAL_ID",
    [
        feature
        for label, window in WINDOWS.items()
        for feature in (
            count(window, delay="7d", name=f"TERMINAL_ID_NB_TX_{label}_WINDOW"),
            mean(
                "TX_FRAUD", window, delay="7d", empty=0.0, name=f"TERMINAL_ID_RISK_{label}_WINDOW"
            ),
        )
    ],
)
