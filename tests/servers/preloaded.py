"""Imported once by the process that programs are forked from."""

import aiokafka
import confluent_kafka
import faust
import kafka
import rich
import typer

import insights.past.follow
import online_models.warm
import stream.cli
import stream.intake.app
import stream.processes.trainer
import stream.processes.worker
from stream.processes.warm import warm

warm(1)
online_models.warm.warm()

__all__ = ["aiokafka", "confluent_kafka", "faust", "insights", "kafka", "online_models", "rich", "stream", "typer"]
