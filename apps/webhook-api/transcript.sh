TOKEN=$(curl -s localhost:8080/oauth2/token -d grant_type=client_credentials -d client_id=dev -d client_secret=dev-secret | jq -r .access_token)
ACCOUNT=$(curl -s localhost:8080/accounts -H "Authorization: Bearer $TOKEN" -d description='Peter Pan' | jq -r .account.id)
SECRET=$(curl -s localhost:8080/webhooks -H "Authorization: Bearer $TOKEN" -d account_id=$ACCOUNT -d url=http://localhost:9000/hooks | jq -r .webhook.secret)
npx talaria listen 9000 --secret "$SECRET" &      # prints each webhook it receives, and whether its signature verifies
until curl -so /dev/null localhost:9000; do sleep 0.2; done
curl -s localhost:8080/transactions -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' \
     -d '{"account_id":"'$ACCOUNT'","amount":-520,"currency":"GBP","description":"Coffee","dedupe_id":"order-1"}'
