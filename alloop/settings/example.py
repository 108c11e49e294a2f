"""A commented example of the settings, with every key."""

EXAMPLE = """\
# How and where programs are run, for campaigns that name these profiles. A campaign says what is
# measured (engine: vasp, profile: cluster); it can start no program that does not stand here.
# Commands are lists of words and are started without a shell.
profiles:
  default:                          # taken where a campaign names no profile
    espresso:
      command: [mpirun, -np, "2", pw.x]
      pseudopotential_folder: /usr/share/espresso/pseudo
  cluster:
    environment:                    # of the programs started here, and of Slurm jobs
      OMP_NUM_THREADS: "1"
    vasp:
      command: [srun, vasp_std]
      gamma_command: [srun, vasp_gam]  # for a mesh of Γ alone; by default the same
      potcar_spec: false            # true: write the POTCARs' names only
      poll: 10                      # s between custodian's checks
    slurm:                          # execution: {kind: slurm, profile: cluster, workers: 8}
      partition: batch
      account: alloys
      cores: 1                      # per job
      memory: 2 GB
      walltime: 4 h                 # a new job follows before it ends
      directives:                   # further options of sbatch; true for one without a value
        constraint: avx512
        exclusive: true
    dask:                           # execution: {kind: dask, profile: cluster, workers: 16}
      address: tcp://10.0.0.1:8786  # your own: whoever speaks to it can run anything on its workers
    jobflow_remote:                 # {kind: dft, engine: vasp, manager: jobflow-remote, …}
      project: alloys
      worker: cluster
      resources: {nodes: 1, ntasks: 32}
      poll: 30                      # s between checks of the queue
      walltime: 86400               # s that the queue gives a job
"""
"""YAML that ``Settings`` reads."""
