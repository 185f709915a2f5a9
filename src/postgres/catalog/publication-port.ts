/**
 * PublicationPort: the process that alters the publication, for the publication manager.
 *
 * - `addTable { relation }` → `publication.altered`, or `publication.refused { error }`
 * - `dropTable { relation }` → likewise
 * - `listTables` → `publication.listed { tables }`, or `publication.refused { error }`
 */
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import { createPublication, type PublicationOptions, PublicationRefusedError, type TableName } from './publication.ts';

export interface PublicationPortOptions extends PublicationOptions {
  readonly name?: Name;
}

export function publicationPort(options: PublicationPortOptions): PortSpec {
  const publication = createPublication(options);
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: () => ({
      requests: {
        addTable: (request) => altered(() => publication.add(request['relation'] as TableName)),
        dropTable: (request) => altered(() => publication.drop(request['relation'] as TableName)),
        listTables: () => orRefused(async () => ({ type: 'publication.listed', tables: await publication.list() })),
      },
    }),
  };
}

function altered(action: () => Promise<void>): Promise<Message> {
  return orRefused(async () => {
    await action();
    return { type: 'publication.altered' };
  });
}

async function orRefused(action: () => Promise<Message>): Promise<Message> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof PublicationRefusedError)) throw error;
    const { code, message, status } = error;
    return { type: 'publication.refused', error: { name: code, code, message, status } };
  }
}
