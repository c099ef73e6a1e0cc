/** What a generated definition says of itself, for reflection, routing, validation and access rules. */
export interface ContractDescriptor {
  /** The proto file that declares the contract, such as `account/v1/account.proto`. */
  readonly file: string;
  /** A `google.protobuf.FileDescriptorSet` with that file and all that it imports, dependencies first, in base64. */
  readonly set: string;
}

/** Reads what {@link ContractDescriptor} a definition carries; undefined for one that was not generated here. */
export function contractDescriptor(definition: object): ContractDescriptor | undefined {
  return (definition as { descriptor?: ContractDescriptor }).descriptor;
}
