"""What the API server shows us, cut down to the fields we use: small frozen records.

Pure. A record is made from an API body by its `from_body`; bodies themselves are not kept, because a
cluster has thousands of them.
"""

from scheduledjob_operator.observed.cron_job import CronJobSeen
from scheduledjob_operator.observed.job import EndedAs, JobEnd, JobSeen
from scheduledjob_operator.observed.metadata import Body, Owner, moment
from scheduledjob_operator.observed.pod import PodSeen

__all__ = ["Body", "CronJobSeen", "EndedAs", "JobEnd", "JobSeen", "Owner", "PodSeen", "moment"]
