"""Rows that say whose database this is."""

from django.db import models


class Identity(models.Model):
    """The one row: the environment and the source of prices this database was made for."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    environment = models.TextField()
    source = models.TextField()

    class Meta:
        db_table = "pqap_identity"
        verbose_name_plural = "identity"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_identity")]

    def __str__(self) -> str:
        return f"{self.environment} on {self.source}"
