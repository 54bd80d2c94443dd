import { IqLearnError, messageOf } from '../../common/index.js';
import { decodeModel, type ModelProto } from './schema.js';

/** The model in the bytes of an ONNX file. CORRUPT_DATA for anything else. */
export function readModel(bytes: Uint8Array): ModelProto {
  const corrupt = (found: string, cause?: unknown): IqLearnError =>
    new IqLearnError('CORRUPT_DATA', 'these bytes are no ONNX model', {
      found,
      expected: 'a complete ONNX file',
      remedy: 'export or copy the file again',
      cause,
    });
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (cause) {
    throw corrupt(`${bytes.length} bytes: ${messageOf(cause)}`, cause);
  }
  if (model.graph === undefined || model.opsetImport.length === 0 || model.graph.output.length === 0)
    throw corrupt(`${bytes.length} bytes without a graph`);
  return model;
}
