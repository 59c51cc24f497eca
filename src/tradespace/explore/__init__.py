"""From a study to readings: enumerate, predict, cut, train, measure, stop; resumable."""
