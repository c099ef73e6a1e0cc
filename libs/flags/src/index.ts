// For services.
export { featureFlags, type FeatureFlags, type FeatureFlagsOptions } from './feature-flags.ts';
export { memoryFlagSource, type FlagDocuments, type FlagSource, type MemoryFlagSource } from './source.ts';
export type { Experiment, ExperimentDocument, SubjectKey, Subjects } from './experiment.ts';
export { EXPOSED, type ExposureData, type ExposureSink } from './exposures.ts';

// For edges, and for tests of what runs below one.
export { ASSIGNMENTS_BAGGAGE, formatAssignments, parseAssignments, withAssignments, type Assignment, type AssignedVariant, type Assignments } from './assignments.ts';

// For tools.
export { reallocate, sharesOf, type Allocation, type BucketRange } from './allocation.ts';
export { createCatalog, type Catalog } from './catalog.ts';
export { createEvaluator, type Assigned, type EvaluatorOptions, type FlagEvaluator } from './evaluator.ts';
export { DocumentError, FlagStoreError } from './document-error.ts';
export { checkExperiment, readExperiment, SUBJECT_KEYS } from './experiment.ts';
export { readFlagDocument, type FlagDocument } from './flag-document.ts';
export { fileFlagSource } from './file-source.ts';
export { EXPERIMENTS_FOLDER, FLAGS_FOLDER, sharedFlagSource } from './source.ts';
export { newExperiment, type ExperimentInput } from './experiment-input.ts';
export { flagStore, type ChangeOptions, type FlagChange, type FlagStore, type FlagStoreOptions, type StoredDocument, type StoredFlags } from './store.ts';
