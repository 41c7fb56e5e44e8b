/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random - generated clusters, one after another: each is planned, and the plan held against it.
 *
 *     random                                  a sample, as in ./test
 *     random --from 1 --count 100000 --jobs 2 as many as you like, side by side
 *     random --show SEED                      one cluster and its plan in words
 *
 * It ends after --faults of them (10); the first --shrink (1) of each child are made smaller and
 * shown in full.
 *
 * The last line is "N passed, N failed". A number of clusters is a child's work, so that one that
 * crashes is known by its seed and the others go on.
 */
#include "tests/random/trial.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE = 500, PORTION = 5000, MAX_JOBS = 64 };

struct options {
    uint64_t from, count, show;
    uint64_t jobs;
    uint64_t faults; /* so many of them end the run */
    uint64_t shrink; /* so many of a child's are made smaller and shown in full */
};

/* A child and what it leaves, in memory that both have. */
struct job {
    pid_t pid; /* 0: none */
    bool finished;
    uint64_t from, count, at;
    struct trial_tally tally;
};

struct run {
    struct options options;
    struct job *jobs;
    uint64_t given; /* seeds, out of count */
    struct trial_tally tally;
    struct timespec began;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void report(struct trial *trial, struct gen_cluster *cluster, const struct fault *fault,
                   bool in_full)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fault smaller;
    printf("not ok %llu: %s: %.*s\n", (unsigned long long)cluster->seed, fault->rule,
           STR_ARG(fault->text));
    if (!in_full)
        return;
    shrink(trial, fault->rule, cluster);
    struct trial_tally tally = trial->tally;
    (void)trial_run(trial, &arena, cluster, &smaller);
    trial->tally = tally;
    str words = trial_words(trial, &arena, cluster, &smaller);
    printf("the smallest cluster with this fault that was made of it:\n%.*s\n", STR_ARG(words));
    fflush(stdout);
}

static void try_seeds(struct job *job, const struct options *options)
{
    struct pool pool;
    struct truth truth;
    struct trial trial = { .pool = &pool, .truth = &truth };
    pool_init(&pool);
    truth_init(&truth, &pool);
    trial.bridge = bridge_new(&pool);
    for (job->at = job->from; job->at < job->from + job->count; job->at++) {
        AUTO(arena) struct arena arena = { 0 };
        struct gen_cluster cluster;
        struct fault fault;
        generate(&pool, job->at, &cluster);
        if (!trial_run(&trial, &arena, &cluster, &fault))
            report(&trial, &cluster, &fault, trial.tally.faults <= options->shrink);
        job->tally = trial.tally;
        if (trial.tally.faults >= options->faults)
            break;
    }
    job->finished = true;
    bridge_free(trial.bridge);
    truth_free(&truth);
    pool_free(&pool);
}

static void start(struct run *run, struct job *job)
{
    uint64_t left = run->options.count - run->given;
    *job = (struct job){ .from = run->options.from + run->given,
                         .count = left < PORTION ? left : PORTION };
    fflush(stdout);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        signal(SIGINT, SIG_IGN); /* what was begun is finished, so that one can go on after it */
        try_seeds(job, &run->options);
        exit(0);
    }
    job->pid = pid;
    run->given += job->count;
}

static void add_tally(struct trial_tally *sum, const struct trial_tally *part)
{
    sum->clusters += part->clusters;
    sum->services += part->services;
    sum->links += part->links;
    sum->steps += part->steps;
    sum->states += part->states;
    sum->outages += part->outages;
    sum->undecided += part->undecided;
    sum->faults += part->faults;
}

static double seconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static void show_progress(const struct run *run)
{
    double done = (double)run->tally.clusters, seconds = seconds_since(&run->began);
    if (run->options.count <= SAMPLE || done == 0)
        return;
    fprintf(stderr, "%llu of %llu clusters, %llu faults, %.0f a second, %.1f minutes to go%s",
            (unsigned long long)run->tally.clusters, (unsigned long long)run->options.count,
            (unsigned long long)run->tally.faults, done / seconds,
            ((double)run->options.count - done) * seconds / done / 60,
            isatty(STDERR_FILENO) ? "   \r" : "\n");
}

static void finish(struct run *run, struct job *job, int status)
{
    job->pid = 0;
    if (!job->finished) {
        job->tally.faults++;
        printf("not ok %llu: the program ended (status %d)\n", (unsigned long long)job->at, status);
    }
    add_tally(&run->tally, &job->tally);
    show_progress(run);
}

/* False when no child was running. */
static bool wait_for_one(struct run *run)
{
    int status;
    pid_t pid = wait(&status);
    for (uint64_t i = 0; i < run->options.jobs; i++)
        if (pid > 0 && run->jobs[i].pid == pid)
            finish(run, &run->jobs[i], status);
    return pid > 0 || interrupted;
}

static void run_all(struct run *run)
{
    bool any = true;
    while (any) {
        for (uint64_t i = 0; i < run->options.jobs; i++)
            if (run->jobs[i].pid == 0 && run->given < run->options.count && !interrupted &&
                run->tally.faults < run->options.faults)
                start(run, &run->jobs[i]);
        any = wait_for_one(run);
    }
}

static int summarise(const struct run *run)
{
    const struct trial_tally *tally = &run->tally;
    const struct options *options = &run->options;
    printf("%llu clusters with %llu services and %llu links, seeds %llu to %llu: %llu steps, %llu "
           "link states judged; %llu plans with an outage, all orders tried for all but %llu; "
           "%.1f minutes\n",
           (unsigned long long)tally->clusters, (unsigned long long)tally->services,
           (unsigned long long)tally->links, (unsigned long long)options->from,
           (unsigned long long)(options->from + run->given - 1), (unsigned long long)tally->steps,
           (unsigned long long)tally->states, (unsigned long long)tally->outages,
           (unsigned long long)tally->undecided, seconds_since(&run->began) / 60);
    if (run->given < options->count)
        printf("to go on: --from %llu --count %llu\n",
               (unsigned long long)(options->from + run->given),
               (unsigned long long)(options->count - run->given));
    printf("%llu passed, %llu failed\n", (unsigned long long)(tally->clusters - tally->faults),
           (unsigned long long)tally->faults);
    return tally->faults > 0 ? 1 : 0;
}

static int show(uint64_t seed)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pool pool;
    struct truth truth;
    struct trial trial = { .pool = &pool, .truth = &truth };
    struct gen_cluster cluster;
    struct fault fault;
    pool_init(&pool);
    truth_init(&truth, &pool);
    trial.bridge = bridge_new(&pool);
    generate(&pool, seed, &cluster);
    bool good = trial_run(&trial, &arena, &cluster, &fault);
    str words = trial_words(&trial, &arena, &cluster, &fault);
    printf("%.*s", STR_ARG(words));
    bridge_free(trial.bridge);
    truth_free(&truth);
    pool_free(&pool);
    return good ? 0 : 1;
}

static bool read_options(int argc, char **argv, struct options *ret_options)
{
    struct {
        const char *name;
        uint64_t *number, max;
    } rows[] = {
        {"--from",    &ret_options->from,   UINT64_MAX / 2},
        { "--count",  &ret_options->count,  UINT64_MAX / 2},
        { "--jobs",   &ret_options->jobs,   MAX_JOBS      },
        { "--faults", &ret_options->faults, UINT64_MAX / 2},
        { "--shrink", &ret_options->shrink, UINT64_MAX / 2},
        { "--show",   &ret_options->show,   UINT64_MAX / 2}
    };
    for (int i = 1; i < argc; i += 2) {
        bool known = false;
        for (size_t k = 0; k < COUNT(rows) && i + 1 < argc; k++)
            if (strcmp(argv[i], rows[k].name) == 0)
                known = str_to_u64(str_c(argv[i + 1]), rows[k].max, rows[k].number);
        if (!known)
            return false;
    }
    return ret_options->jobs > 0 && ret_options->faults > 0;
}

int main(int argc, char **argv)
{
    struct run run = {
        .options = {.from = 1, .count = SAMPLE, .jobs = 1, .faults = 10, .shrink = 1}
    };
    if (!read_options(argc, argv, &run.options)) {
        fprintf(stderr, "usage: random [--from SEED] [--count N] [--jobs N] [--faults N] "
                        "[--shrink N] | --show SEED\n");
        return 2;
    }
    if (run.options.show > 0)
        return show(run.options.show);
    size_t size = run.options.jobs * sizeof(struct job);
    run.jobs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(run.jobs != MAP_FAILED);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = interrupt }, NULL);
    clock_gettime(CLOCK_MONOTONIC, &run.began);
    run_all(&run);
    int code = summarise(&run);
    munmap(run.jobs, size);
    return code;
}
