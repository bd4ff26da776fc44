package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

var groupVersion = schema.GroupVersion{Group: "scheduledjob.dev", Version: "v1alpha1"}

// ScheduledJob as a Go controller would declare it; of the spec only what the peer needs.
type ScheduledJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   Spec   `json:"spec,omitempty"`
	Status Status `json:"status,omitempty"`
}

type Spec struct {
	Schedule string `json:"schedule"`
	TimeZone string `json:"timeZone,omitempty"`
	Enabled  *bool  `json:"enabled,omitempty"`
	Timeout  string `json:"timeout,omitempty"`
	Handler  string `json:"handler,omitempty"`
}

type Status struct {
	ObservedGeneration  int64              `json:"observedGeneration"`
	Conditions          []metav1.Condition `json:"conditions"`
	CronJobName         string             `json:"cronJobName"`
	Scheduler           string             `json:"scheduler"`
	ResolvedSchedule    string             `json:"resolvedSchedule"`
	NextRunTimes        []metav1.Time      `json:"nextRunTimes"`
	Active              []string           `json:"active"`
	ActiveCount         int                `json:"activeCount"`
	ConsecutiveFailures int                `json:"consecutiveFailures"`
	Counts              Counts             `json:"counts"`
	RecentRuns          []string           `json:"recentRuns"`
}

type Counts struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timedOut"`
	Cancelled int `json:"cancelled"`
	Retries   int `json:"retries"`
}

type ScheduledJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ScheduledJob `json:"items"`
}

func (in *ScheduledJob) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = append([]metav1.Condition(nil), in.Status.Conditions...)
	out.Status.NextRunTimes = append([]metav1.Time(nil), in.Status.NextRunTimes...)
	out.Status.Active = append([]string(nil), in.Status.Active...)
	out.Status.RecentRuns = append([]string(nil), in.Status.RecentRuns...)
	return &out
}

func (in *ScheduledJobList) DeepCopyObject() runtime.Object {
	out := *in
	out.Items = make([]ScheduledJob, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *(in.Items[i].DeepCopyObject().(*ScheduledJob))
	}
	return &out
}

// scheduledJobClient is a typed client of the custom resource, as client-gen would write it.
func scheduledJobClient(config *rest.Config) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(groupVersion, &ScheduledJob{}, &ScheduledJobList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	typed := *config
	typed.GroupVersion = &groupVersion
	typed.APIPath = "/apis"
	typed.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(&typed)
}
