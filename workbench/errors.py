"""The errors that are meant for the person who uses the workbench.

WorkbenchError
├── FactsError         a fact file cannot be read at all
│   └── ReadingStopped   ... because somebody stopped it
├── SettingsError      a setting has a value that makes no sense
├── LocationError      a location is malformed or not in this model
├── ModelError         a model cannot be found, loaded or used
│   └── MemoryShortage   ... because it does not fit in memory
├── RankLost           another of the processes that share a run is gone
├── PatchError         a patch cannot be read, saved or applied here
├── RecordError        a kept record does not have the form that it should have
└── SessionError       a session, job or worker cannot do what was asked
    └── StorageError       ... because its disk takes no more

A message says what is wrong, where, and what to do, in one or two sentences. Whatever else is
raised is a bug, and shows its traceback in the log.
"""

__all__ = [
    "FactsError",
    "LocationError",
    "MemoryShortage",
    "ModelError",
    "PatchError",
    "RankLost",
    "ReadingStopped",
    "RecordError",
    "SessionError",
    "SettingsError",
    "StorageError",
    "WorkbenchError",
]


class WorkbenchError(Exception):
    """Something the user can mend; the message says how."""


class FactsError(WorkbenchError):
    """A fact file cannot be read at all; problems of single rows are reported, not raised."""


class ReadingStopped(FactsError):
    """Reading a fact file was stopped on request; nothing of it was kept."""


class SettingsError(WorkbenchError):
    """A setting has a value that makes no sense; the message names the setting."""


class LocationError(WorkbenchError):
    """A location is malformed, or the model has no such layer or module."""


class ModelError(WorkbenchError):
    """A model cannot be found, loaded, or used for editing."""


class MemoryShortage(ModelError):
    """A model or a run does not fit in the memory of the chosen device."""


class RankLost(WorkbenchError):
    """Another of the processes that share a run is gone."""


class PatchError(WorkbenchError):
    """A patch cannot be read, saved, or applied to this model."""


class RecordError(WorkbenchError):
    """A kept record, from a file or a database, does not have the form that it should have."""


class SessionError(WorkbenchError):
    """A session, job or worker cannot do what was asked."""


class StorageError(SessionError):
    """A session cannot be written: its disk is full, read-only or broken."""
