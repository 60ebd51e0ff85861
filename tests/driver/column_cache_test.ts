import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { ColumnCache } from "../../src/driver/column_cache.ts";
import { description } from "../support/wire.ts";
