// Finds account-service through etcd's stock gRPC resolver and calls it, as any Go service would.
//
// Usage: go run . ETCD_ENDPOINT NAMESPACE METADATA_KEY VALUE [METADATA_KEY VALUE ...]
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// raw passes bytes through, so that no generated code is needed.
type raw struct{}

func (raw) Name() string                        { return "proto" }
func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (raw) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func run() error {
	if len(os.Args) < 3 {
		return fmt.Errorf("usage: go run . ETCD_ENDPOINT NAMESPACE METADATA_KEY VALUE")
	}
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[1]}, DialTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer etcd.Close()
	builder, err := resolver.NewBuilder(etcd)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient("etcd:///talaria/"+os.Args[2]+"/services/account.v1.AccountService",
		grpc.WithResolvers(builder), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), os.Args[3:]...), 30*time.Second)
	defer cancel()
	request, response := []byte{}, []byte{}
	if err := connection.Invoke(ctx, "/account.v1.AccountService/ListAccounts", &request, &response, grpc.ForceCodec(raw{}), grpc.WaitForReady(true)); err != nil {
		return err
	}
	fmt.Printf("%x\n", response)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
