// SPDX-License-Identifier: Apache-2.0
// Each pair of pairs.csv as a task of Nextflow:   nextflow run main.nf
params.table = 'pairs.csv'
params.output = 'out'

process REGISTER {
    cpus 2
    memory '8 GB'
    tag "$name"
    publishDir params.output, mode: 'copy'

    input:
    tuple val(name), path(fixed, stageAs: 'fixed/*'), path(moving, stageAs: 'moving/*')

    output:
    path name

    script:
    """
    OMP_NUM_THREADS=$task.cpus disa register $fixed $moving -o $name --threads $task.cpus
    """
}

workflow {
    Channel.fromPath(params.table)
        .splitCsv(header: true)
        .map { row -> tuple(row.name, file(row.fixed), file(row.moving)) }
        | REGISTER
}
