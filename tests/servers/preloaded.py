"""Imported once by the process that workers are forked from."""

import aiokafka
import confluent_kafka
import faust
import kafka

import insights.past.follow
import stream.intake.app
import stream.processes.worker
from stream.processes.warm import warm

warm(1)

__all__ = ["aiokafka", "confluent_kafka", "faust", "insights", "kafka", "stream"]
