// Oracle answers what Kubernetes would do with a schedule, by asking the library that Kubernetes uses.
//
// Input, one case a line:  expression TAB zone TAB unix-seconds
// Answer, one line a case: "ok" and up to five firing times in unix seconds, or "refused" and the reason,
// separated by tabs. Fewer than five times means that robfig/cron found none within five years.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

const runs = 5

// parse reads a schedule the way kube-controller-manager does (formatSchedule and
// ParseCronScheduleWithPanicRecovery): the zone goes in front of the text, and a panic is a refusal.
func parse(expression, zone string) (schedule cron.Schedule, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			schedule, err = nil, fmt.Errorf("panic: %v", trouble)
		}
	}()
	if _, err := cron.ParseStandard(expression); err != nil { // what the API server checks
		return nil, err
	}
	return cron.ParseStandard("TZ=" + zone + " " + expression)
}

func answer(line string) string {
	parts := strings.Split(line, "\t")
	if len(parts) != 3 {
		return "refused\tthe line has " + strconv.Itoa(len(parts)) + " parts"
	}
	seconds, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return "refused\t" + err.Error()
	}
	schedule, err := parse(parts[0], parts[1])
	if err != nil {
		return "refused\t" + strings.Join(strings.Fields(err.Error()), " ")
	}
	reply := []string{"ok"}
	for at := time.Unix(seconds, 0).UTC(); len(reply) <= runs; {
		if at = schedule.Next(at); at.IsZero() {
			break
		}
		reply = append(reply, strconv.FormatInt(at.Unix(), 10))
	}
	return strings.Join(reply, "\t")
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<16), 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		fmt.Fprintln(out, answer(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
