/** `@millrace/core`: platform-free. What touches `node:` is in `@millrace/core/node`, what only tests need in `@millrace/core/testing`. */
export type { AsOfJoinDefinition } from './api/asOfJoin.ts';
export type { Behaviour, BehaviourContext, KeyedBehaviour, PlainBehaviour, PlainContext } from './api/behaviour.ts';
export type { BroadcastBehaviour, BroadcastDataStreams, BroadcastReader, BroadcastWriter } from './api/broadcastDataStreams.ts';
export type { BroadcastStreams, KeyedBroadcastBehaviour, KeyedBroadcastWriter } from './api/broadcastStreams.ts';
export type { CoBehaviour, ConnectedDataStreams, SideFunctions } from './api/connectedDataStreams.ts';
export type { ConnectedStreams, KeyedCoBehaviour } from './api/connectedStreams.ts';
export { dataSet } from './api/dataSet.ts';
export type { DataSet, DataSetJoin, GroupedDataSet, JoinKind, JoinPair } from './api/dataSet.ts';
export type { DataStream, ElementOf, TransformOptions } from './api/dataStream.ts';
export type { CheckpointOptions, RestoreOptions } from './api/checkpointOptions.ts';
export { StreamEnvironment } from './api/environment.ts';
export type { SourceOptions } from './api/environment.ts';
export type { IntervalJoinDefinition } from './api/intervalJoin.ts';
export { defineJob } from './api/job.ts';
export type { JobDefinition, JobModule } from './api/job.ts';
export type { KeyedNumber, KeyedStream, OverResult } from './api/keyedStream.ts';
export type { OperatorStream } from './api/operatorStream.ts';
export type { StateBackendOptions } from './api/stateOptions.ts';
export type { RunOptions } from './api/runOptions.ts';
export type { WindowBehaviour, WindowedStream, WindowOptions } from './api/windowedStream.ts';
export type { CoGroupDefinition, MeetingWindow, WindowJoinDefinition } from './api/windowJoin.ts';
export { asyncIterable } from './connectors/asyncIterable.ts';
export type { AsyncIterableOptions, IterableSink } from './connectors/asyncIterable.ts';
export { discard } from './connectors/discard.ts';
export { forEach } from './connectors/forEach.ts';
export type { CheckpointReport, CompletedCheckpoint } from './checkpoint/checkpointHistory.ts';
export type { EncodedValue, ValueReader } from './checkpoint/codedValues.ts';
export { memoryStorage } from './checkpoint/memoryStorage.ts';
export { readSavepoint } from './checkpoint/savepoint.ts';
export type { Savepoint, SavepointOptions } from './checkpoint/savepoint.ts';
export { savepointState } from './checkpoint/savepointSource.ts';
export type { KeyedStateElement, SavepointStateOptions } from './checkpoint/savepointSource.ts';
export type { WrittenEntry, WrittenStates } from './checkpoint/savepointTable.ts';
export type { CheckpointStorage } from './checkpoint/storage.ts';
export { writeSavepoint } from './checkpoint/writeSavepoint.ts';
export type { SavepointContents, WrittenEntries, WrittenOperator } from './checkpoint/writeSavepoint.ts';
export { fromArray } from './connectors/fromArray.ts';
export { fromIterable } from './connectors/fromIterable.ts';
export type { IterableOptions, Resumable } from './connectors/fromIterable.ts';
export { generator } from './connectors/generator.ts';
export type { GeneratorOptions, Schedule } from './connectors/generator.ts';
export { print } from './connectors/print.ts';
export type { PrintOptions } from './connectors/print.ts';
export type { Elements, WebStream } from './connectors/pull.ts';
export { sequence } from './connectors/sequence.ts';
export type { ErrorCode } from './errors/codes.ts';
export { MillraceError } from './errors/millraceError.ts';
export type { ErrorDetails } from './errors/millraceError.ts';
export type { ErrorPolicy, OperatorOptions } from './graph/builder.ts';
export { explainMermaid, explainText } from './graph/explain.ts';
export type { Chaining, ExchangeKind, Graph, GraphEdge, GraphNode, NodeTraits } from './graph/node.ts';
export type { Mode, Plan, PlanChain, PlanEdge } from './graph/plan.ts';
export type { AsyncMap, FailedCall } from './operators/asyncMap.ts';
export type { CodeSite } from './operators/codeSite.ts';
export { defineSink, defineSource } from './operators/connector.ts';
export type {
  DiscoveryContext,
  ReadContext,
  Rejected,
  Sink,
  SinkContext,
  SinkDefinition,
  SinkWriter,
  Source,
  SourceBatch,
  SourceDefinition,
  SourceReader,
} from './operators/connector.ts';
export type { Emits, Emitted } from './operators/emits.ts';
export type { Iteration, IterationContext, IterationOptions } from './operators/iterate.ts';
export type { Logger } from './operators/logger.ts';
export type { Operator, OperatorDefinition } from './operators/operator.ts';
export type { Context, Emit, OperatorContext, Subtask, Timer, Timers } from './operators/operatorContext.ts';
export type { Counter, OperatorMetrics } from './operators/operatorMetrics.ts';
export { output } from './operators/outputs.ts';
export type { Output, OutputShape, OutputStreams } from './operators/outputs.ts';
export type { WindowContext } from './operators/windowProcess.ts';
export type { WindowResult } from './operators/windowResult.ts';
export { describeJob } from './runtime/diagnosis.ts';
export type { LocalJob as Job } from './runtime/job.ts';
export type { JobStatus } from './runtime/lifecycle.ts';
export { lifecycleMachine } from './runtime/lifecycle.ts';
export { exponentialDelay, failureRate, fixedDelay, noRestart } from './runtime/restart.ts';
export type { ExponentialDelayOptions, RestartCount, RestartStrategy } from './runtime/restart.ts';
export { prometheusText } from './runtime/metrics.ts';
export type { JobMetrics, OperatorReport } from './runtime/metrics.ts';
export type { Platform } from './runtime/platform.ts';
export type { SizeUnit } from './runtime/inputSize.ts';
export type { Progress, SourceProgress } from './runtime/progress.ts';
export { aggregate, avg, count, distinct, first, last, list, max, maxBy, min, minBy, sum, topK } from './state/aggregate.ts';
export type { Aggregate, AggregateResult, AggregateShape } from './state/aggregate.ts';
export type { AggregateDefinition } from './state/aggregateDefinition.ts';
export type { StateEntry } from './state/backend.ts';
export type { ByteReader } from './state/byteReader.ts';
export type { ByteWriter } from './state/byteWriter.ts';
export { aggregatingState, listState, mapState, reducingState, valueState } from './state/descriptor.ts';
export type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  StateDescriptor,
  StateHandles,
  StateOptions,
  StateShape,
  TimeToLive,
  ValueState,
} from './state/descriptor.ts';
export type { Key } from './state/key.ts';
export type { TimeDomain, TimerShape } from './state/keyedTimers.ts';
export type { OperatorState, OperatorStateEntry, OperatorStateMode } from './state/operatorState.ts';
export { plainData } from './state/plainData.ts';
export type { ReadOnly, ReadOnlyHandles } from './state/readOnly.ts';
export type { Codec } from './state/valueCodec.ts';
export type { Alignment, WindowAssigner } from './time/assigner.ts';
export { calendar } from './time/calendar.ts';
export type { CalendarOptions, CalendarUnit, Weekday } from './time/calendar.ts';
export type { Clock } from './time/clock.ts';
export { countWindow } from './time/countWindow.ts';
export type { CountWindowOptions } from './time/countWindow.ts';
export { formatDuration, parseDuration, toMilliseconds } from './time/duration.ts';
export type { Duration } from './time/duration.ts';
export type { Evictor, WindowElement } from './time/evictor.ts';
export { countEvictor } from './time/evictors/count.ts';
export { deltaEvictor } from './time/evictors/delta.ts';
export type { DeltaEvictorOptions } from './time/evictors/delta.ts';
export type { EvictorOptions } from './time/evictors/options.ts';
export { timeEvictor } from './time/evictors/time.ts';
export { globalWindow } from './time/global.ts';
export type { GlobalWindowOptions } from './time/global.ts';
export { session } from './time/session.ts';
export type { SessionOptions } from './time/session.ts';
export { sliding } from './time/sliding.ts';
export type { SlidingOptions } from './time/sliding.ts';
export { MAX_TIMESTAMP, MIN_TIMESTAMP } from './time/timestamp.ts';
export type { Timestamp } from './time/timestamp.ts';
export { defineTrigger } from './time/trigger.ts';
export type { Trigger, TriggerContext, TriggerDefinition, TriggerResult } from './time/trigger.ts';
export { continuousEventTime } from './time/triggers/continuousEventTime.ts';
export { continuousProcessingTime } from './time/triggers/continuousProcessingTime.ts';
export { countTrigger } from './time/triggers/count.ts';
export { deltaTrigger } from './time/triggers/delta.ts';
export type { DeltaTriggerOptions } from './time/triggers/delta.ts';
export { eventTimeTrigger } from './time/triggers/eventTime.ts';
export { never } from './time/triggers/never.ts';
export { processingTimeTrigger } from './time/triggers/processingTime.ts';
export { processingTimeTimeout } from './time/triggers/processingTimeTimeout.ts';
export type { ProcessingTimeTimeoutOptions } from './time/triggers/processingTimeTimeout.ts';
export { purging } from './time/triggers/purging.ts';
export { tumbling } from './time/tumbling.ts';
export type { TumblingOptions } from './time/tumbling.ts';
export type { EventTime, WatermarkAlignment } from './time/watermark.ts';
export type { Pane, TimeWindow } from './time/window.ts';
export type { WindowDomain } from './time/windowOptions.ts';
