// The cron library of Kubernetes' own CronJob controller, as the referee of the schedule tests.
module scheduledjob.dev/oracle

go 1.24

require github.com/robfig/cron/v3 v3.0.1
