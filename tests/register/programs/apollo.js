import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import process from "node:process";

const server = new ApolloServer({
  typeDefs: "type Query { client: String }",
  resolvers: { Query: { client: (_, __, { address }) => address } },
});
await startStandaloneServer(server, {
  listen: { port: Number(process.env.PORT), host: "127.0.0.1" },
  context: ({ req }) => Promise.resolve({ address: req.socket.remoteAddress }),
});
