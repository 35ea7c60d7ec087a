"""English in words: numbers, dates, times, money, units, addresses and abbreviations, as they are said."""
