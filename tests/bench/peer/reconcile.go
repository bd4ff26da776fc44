package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	fieldManager = "scheduledjob-operator"
	hashKey      = "scheduledjob.dev/spec-hash"
	nameKey      = "scheduledjob.dev/name"
)

// reconciler brings one ScheduledJob after the other into its desired state: a CronJob, then a status.
type reconciler struct {
	template      *batchv1.CronJob
	clients       kubernetes.Interface
	scheduled     rest.Interface
	scheduledJobs cache.Store
	cronJobs      cache.Store
}

func (r *reconciler) reconcile(ctx context.Context, key string) error {
	found, exists, err := r.scheduledJobs.GetByKey(key)
	if err != nil || !exists {
		return err
	}
	job := found.(*ScheduledJob)
	if job.DeletionTimestamp != nil {
		return nil
	}
	want, err := r.desired(job)
	if err != nil {
		return err
	}
	if have, exists, _ := r.cronJobs.GetByKey(key); !exists || have.(*batchv1.CronJob).Annotations[hashKey] != want.Annotations[hashKey] {
		if err := r.apply(ctx, want); err != nil {
			return err
		}
	}
	return r.writeStatus(ctx, job)
}

// desired is the template with the fields of this ScheduledJob in it.
func (r *reconciler) desired(job *ScheduledJob) (*batchv1.CronJob, error) {
	want := r.template.DeepCopy()
	yes := true
	labels := map[string]string{"app.kubernetes.io/managed-by": fieldManager, nameKey: job.Name}
	want.ObjectMeta = metav1.ObjectMeta{
		Name: job.Name, Namespace: job.Namespace, Labels: labels,
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: groupVersion.String(), Kind: "ScheduledJob", Name: job.Name, UID: job.UID,
			Controller: &yes, BlockOwnerDeletion: &yes,
		}},
	}
	want.Spec.Schedule = job.Spec.Schedule
	want.Spec.JobTemplate.Labels = labels
	pod := &want.Spec.JobTemplate.Spec.Template
	pod.Labels = labels
	for i := range pod.Spec.Containers[0].Env {
		if variable := &pod.Spec.Containers[0].Env[i]; variable.Name == "SCHEDULEDJOB_NAME" {
			variable.Value = job.Name
		} else if variable.Name == "SCHEDULEDJOB_TIMEOUT_SECONDS" {
			variable.Value = job.Spec.Timeout
		}
	}
	text, err := json.Marshal(want)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	want.Annotations = map[string]string{hashKey: hex.EncodeToString(sum[:8])}
	return want, nil
}

func (r *reconciler) apply(ctx context.Context, want *batchv1.CronJob) error {
	body, err := json.Marshal(want)
	if err != nil {
		return err
	}
	force := true
	_, err = r.clients.BatchV1().CronJobs(want.Namespace).Patch(
		ctx, want.Name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: fieldManager, Force: &force})
	return err
}

func (r *reconciler) writeStatus(ctx context.Context, job *ScheduledJob) error {
	if job.Status.ObservedGeneration == job.Generation && len(job.Status.Conditions) > 0 {
		return nil
	}
	status, err := statusOf(job, time.Now())
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	return r.scheduled.Patch(types.MergePatchType).
		Namespace(job.Namespace).Resource("scheduledjobs").Name(job.Name).SubResource("status").
		VersionedParams(&metav1.PatchOptions{FieldManager: fieldManager}, metav1.ParameterCodec).
		Body(body).Do(ctx).Error()
}

func statusOf(job *ScheduledJob, now time.Time) (*Status, error) {
	zone := job.Spec.TimeZone
	if zone == "" {
		zone = "Etc/UTC"
	}
	schedule, err := cron.ParseStandard(fmt.Sprintf("TZ=%s %s", zone, job.Spec.Schedule))
	if err != nil {
		return nil, err
	}
	var next []metav1.Time
	for at := now; len(next) < 5; {
		at = schedule.Next(at)
		next = append(next, metav1.NewTime(at.UTC()))
	}
	return &Status{
		ObservedGeneration: job.Generation,
		Conditions: []metav1.Condition{{
			Type: "Ready", Status: metav1.ConditionTrue, Reason: "Reconciled", Message: "the CronJob is in sync",
			ObservedGeneration: job.Generation, LastTransitionTime: metav1.NewTime(now),
		}},
		CronJobName: job.Name, Scheduler: "CronJob", ResolvedSchedule: job.Spec.Schedule,
		NextRunTimes: next, Active: []string{}, RecentRuns: []string{},
	}, nil
}
