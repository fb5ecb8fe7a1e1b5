"""The funnel of each day by session, as aggregates: computed whole from the curated clicks."""
