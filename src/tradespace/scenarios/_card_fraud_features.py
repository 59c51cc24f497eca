"""The features of the card-fraud study, each as of the time of its transaction.

A fraud is reported seven days late, so what is known of a terminal ends seven days ago.
"""

from tradespace.features import (
    EventSource,
    FeatureView,
    RowFeatures,
    count,
    hour,
    mean,
    rate,
    weekday,
)

DAYS = (1, 7, 30)

transactions = EventSource(
    "transactions",
    time="TX_DATETIME",
    id="TRANSACTION_ID",
    decimals={"TX_AMOUNT": 2},
    description="Card transactions: the rows of the study itself.",
)

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
    entity="CUSTOMER_ID",
    features=[
        feature
        for days in DAYS
        for feature in (
            count(f"{days}d", name=f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"),
            mean("TX_AMOUNT", f"{days}d", name=f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"),
        )
    ],
    description="How often and for how much a card is used.",
)

terminal = FeatureView(
    "terminal",
    transactions,
    entity="TERMINAL_ID",
    features=[
        feature
        for days in DAYS
        for feature in (
            count(f"{days}d", delay="7d", name=f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"),
            rate("TX_FRAUD", f"{days}d", delay="7d", name=f"TERMINAL_ID_RISK_{days}DAY_WINDOW"),
        )
    ],
    description="How busy a terminal was, and which share of it turned out to be fraud.",
)
