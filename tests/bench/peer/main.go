// A controller in Go that does the operator's two writes per ScheduledJob, to compare with: the CronJob by
// server-side apply, and the status by a merge patch. Informers, one work queue and workers, as client-go has them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

type queue = workqueue.TypedRateLimitingInterface[string]

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the cluster's address and the user")
	template := flag.String("template", "", "file with the CronJob to fill in")
	workers := flag.Int("workers", 8, "most requests at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *template, *workers); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, template string, workers int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 100_000, 100_000 // the workers are the only limit
	scheduled, err := scheduledJobClient(config)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	cronJob := &batchv1.CronJob{}
	if err := json.Unmarshal(text, cronJob); err != nil {
		return err
	}

	pending := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	owned := informers.NewSharedInformerFactoryWithOptions(clients, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = "app.kubernetes.io/managed-by=" + fieldManager
		}))
	parents := cache.NewSharedInformer(
		cache.NewListWatchFromClient(scheduled, "scheduledjobs", metav1.NamespaceAll, fields.Everything()),
		&ScheduledJob{}, 0)
	cronJobs := owned.Batch().V1().CronJobs().Informer()
	for _, informer := range []cache.SharedInformer{cronJobs, owned.Batch().V1().Jobs().Informer(), owned.Core().V1().Pods().Informer()} {
		if _, err := informer.AddEventHandler(waking(pending, labelledKey)); err != nil {
			return err
		}
	}
	if _, err := parents.AddEventHandler(waking(pending, cache.MetaNamespaceKeyFunc)); err != nil {
		return err
	}
	owned.Start(ctx.Done())
	go parents.Run(ctx.Done())
	owned.WaitForCacheSync(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), parents.HasSynced)

	r := &reconciler{
		template: cronJob, clients: clients, scheduled: scheduled,
		scheduledJobs: parents.GetStore(), cronJobs: cronJobs.GetStore(),
	}
	for range workers {
		go work(ctx, r, pending)
	}
	<-ctx.Done()
	pending.ShutDown()
	return nil
}

func work(ctx context.Context, r *reconciler, pending queue) {
	for {
		key, shutdown := pending.Get()
		if shutdown {
			return
		}
		bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
		if err := r.reconcile(bounded, key); err != nil {
			log.Printf("%s: %v", key, err)
			pending.AddRateLimited(key)
		} else {
			pending.Forget(key)
		}
		cancel()
		pending.Done(key)
	}
}

// waking puts the key of every object that is seen into the queue.
func waking(pending queue, keyOf func(any) (string, error)) cache.ResourceEventHandler {
	add := func(object any) {
		if key, err := keyOf(object); err == nil {
			pending.Add(key)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, object any) { add(object) },
	}
}

// labelledKey is the key of the ScheduledJob that a CronJob, Job or Pod belongs to.
func labelledKey(object any) (string, error) {
	child, ok := object.(metav1.Object)
	if !ok {
		return "", os.ErrInvalid
	}
	return child.GetNamespace() + "/" + child.GetLabels()[nameKey], nil
}
