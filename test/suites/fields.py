#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sluice check` on names of fields: a warning where the text of a script leaves no doubt, silence everywhere else."""
import _rig as rig
from _rig import command, equal, matches, ok

THINGS = ('{"api_name":"Things","singular_label":"Thing","plural_label":"Things","name_field":{"api_name":"Title"},'
          '"fields":[{"api_name":"Colour","field_label":"Colour","data_type":"text"}]}')
LEADS = '{"api_name":"Leads","fields":[{"api_name":"Shoe_Size","field_label":"Shoe Size","data_type":"text"}]}'

WRONG = [  # the body of a function, and what is told of it: line, column, field, module
    ('a = zoho.crm.searchRecords("Leads","(Emial:equals:x)");', [(3, 38, 'Emial', 'Leads')]),
    ('a = zoho.crm.searchRecords("Leads","((Email:equals:x) and (Fone:equals:1))");', [(3, 60, 'Fone', 'Leads')]),
    ('a = zoho.crm.searchRecords("Leads","(Emial:equals:" + x + ")");', [(3, 38, 'Emial', 'Leads')]),
    ('a = zoho.crm.searchRecords("Leads","Emial:equals:x");', [(3, 37, 'Emial', 'Leads')]),
    ('a = zoho.crm.createRecord("Leads",{"Last_Name":"x","Emial":x});', [(3, 52, 'Emial', 'Leads')]),
    ('a = zoho.crm.updateRecord("Contacts",1,{"Nope":{"Deep":1}});', [(3, 41, 'Nope', 'Contacts')]),
    ('a = zoho.crm.upsert("Leads",{"own.Nope":1});', [(3, 30, 'own.Nope', 'Leads')]),
    ('a = zoho.crm.createRecord("own.Things",{"Color":1});', [(3, 41, 'Color', 'own.Things')]),
    ('m = Map();\nm.put("Emial",x);\na = zoho.crm.createRecord("Leads",m);', [(4, 7, 'Emial', 'Leads')]),
    ('m = map();\nif(x == "")\n{\nm.put("Emial",x);\n}\ninfo m;\na = zoho.crm.updateRecord("Leads",1,m);', [(6, 7, 'Emial', 'Leads')]),
    ('m = {"Emial":x};\na = zoho.crm.createRecord("Leads",m);', [(3, 6, 'Emial', 'Leads')]),
    ('m = Map();\nm.put("Nope",x);\na = zoho.crm.createRecord("Leads",m);\nm = Map();\nm.put("Account_Name",x);\n'
     'a = zoho.crm.createRecord("Accounts",m);', [(4, 7, 'Nope', 'Leads')]),
    ('m = Map();\nm.put("Nope",x);\nif(x == "")\n{\na = zoho.crm.createRecord("Leads",m);\n}\nelse\n{\na = zoho.crm.updateRecord("Leads",1,m);\n}',
     [(4, 7, 'Nope', 'Leads')]),
]
FINE = {
    'fields that are there': 'a = zoho.crm.createRecord("Leads",{"last_name":"x","id":1,"$se_module":"x","Owner":1,"Layout":1,"Tag":1});',
    'the extension\'s own fields': 'a = zoho.crm.createRecord("Leads",{"Last_Name":"x","own.Shoe_Size":1,"own__Shoe_Size":1,"any.Shoe_Size":1});',
    'a prefix before a name with underlines': 'a = zoho.crm.updateRecord("Deals",1,{"any.Reason_For_Loss__s":"x","Reason_For_Loss__s":"x"});',
    'users, which are no module': 'a = zoho.crm.searchRecords("Users","(email:equals:x)");\na = zoho.crm.searchRecords("users","(Nope:equals:x)");',
    'notes': 'a = zoho.crm.createRecord("Notes",{"Parent_Id":1,"Note_Title":x,"Note_Content":x,"se_module":"Leads"});',
    'its own module': 'a = zoho.crm.createRecord("own.Things",{"Name":"x","own.Title":1,"Colour":1,"Email":1,"Created_Time":1});',
    'what is read of a record': 'a = zoho.crm.createRecord("Leads",{"Last_Name":zoho.crm.getRecordById("Leads",1).get("Nope")});',
    'a name that is put together': 'a = zoho.crm.searchRecords("Leads","(Em" + x + ":equals:1)");',
    'names behind a part that is no literal': 'a = zoho.crm.searchRecords("Leads","(Email:equals:" + x + ") and (Nope:equals:1)");',
    'colons of values': 'a = zoho.crm.searchRecords("Leads","(Email:equals:Nope:equals:x) or (City:in:a,b:c)");',
    'a module in a variable': 'a = zoho.crm.createRecord(x,{"Nope":1});',
    'options': 'a = zoho.crm.createRecord("Leads",{"Last_Name":"x"},{"trigger":{"workflow"},"Nope":1});\no = Map();\no.put("Nope",1);\n'
               'a = zoho.crm.updateRecord("Leads",1,{"City":"x"},o);',
    'a map that two modules get': 'm = Map();\nm.put("Account_Name",x);\nm.put("Nope",x);\na = zoho.crm.createRecord("Leads",m);\n'
                                  'a = zoho.crm.createRecord("Accounts",m);',
    'a map that goes elsewhere': 'm = Map();\nm.put("Nope",x);\nl = List();\nl.add(m);\na = zoho.crm.createRecord("Leads",m);',
    'a key that is taken out again': 'm = Map();\nm.put("Nope",x);\nm.remove("Nope");\na = zoho.crm.createRecord("Leads",m);',
    'another branch': 'm = Map();\nif(x == "")\n{\nm.put("Nope",x);\n}\nelse\n{\na = zoho.crm.createRecord("Leads",m);\n}',
    'a put without braces': 'm = Map();\nif(x == "") m.put("Nope",x); else a = zoho.crm.createRecord("Leads",m);',
    'a put behind the call': 'm = Map();\na = zoho.crm.createRecord("Leads",m);\nm.put("Nope",x);',
    'a map of unknown origin': 'm = x.toMap();\nm.put("Nope",x);\na = zoho.crm.createRecord("Leads",m);',
    'a map that a loop names': 'm = Map();\nfor each  m in x.toList()\n{\nm.put("Nope",x);\na = zoho.crm.createRecord("Leads",m);\n}',
    'a literal that is asked something': 'm = {"Nope":x}.keys();\na = zoho.crm.createRecord("Leads",{"City":m});',
    'a variable of another case': 'm = Map();\nM = Map();\nM.put("Nope",x);\nm.put("City",x);\na = zoho.crm.createRecord("Leads",m);',
}


def function(body):
    return f'void f(string x)\n{{\n{body}\n}}\n'


def checked(folder, body):
    rig.write(f'{folder}/own/functions/f.dg', function(body))
    return command('check', f'{folder}/own')


def test_wrong_names(folder):
    path = f'{folder}/own/functions/f.dg'
    for body, found in WRONG:
        told = ''.join(f"{path}:{line}:{column}: warning: The field '{field}' does not exist in the module '{module}'\n" for line, column, field, module in found)
        equal(f'told: {body!r}', repr(checked(folder, body)), repr(rig.Done(0, told, '')))


def test_silence(folder):
    for name, body in FINE.items():
        equal(f'silent: {name}', repr(checked(folder, body)), repr(rig.Done(0, '', '')))


def test_unknown_module(folder):
    result = checked(folder, 'a = zoho.crm.createRecord("Leadz",{"Nope":1});')
    matches('an unknown module is told, its fields are not', result.out, r"^[^\n]*: warning: The module 'Leadz' does not exist\n$")


def test_hint(folder):
    rig.write(f'{folder}/own/functions/f.dg', function(WRONG[0][0]))
    matches('--explain names the nearest field', command('check', '--explain', f'{folder}/own').out, "\n    Did you mean 'Email'\\?\n")
    matches('… the extension\'s own, too', [checked(folder, WRONG[7][0]), command('check', '--explain', f'{folder}/own')][1].out,
            "\n    Did you mean 'Colour'\\?\n")


def test_data_folder(folder):
    lonely = rig.write(f'{folder}/lonely.dg', function('a = zoho.crm.createRecord("own.Things",{"own.Colour":1,"Name":1,"Colr":1});'))
    equal('a file alone says nothing of fields', repr(command('check', lonely)), repr(rig.Done(0, '', '')))
    equal('the extension is installed', command('ext', 'install', f'{folder}/own', '--data', f'{folder}/data').code, 0)
    equal('--data: its fields are known', repr(command('check', '--data', f'{folder}/data', lonely)),
          repr(rig.Done(0, f"{lonely}:3:65: warning: The field 'Colr' does not exist in the module 'own.Things'\n", '')))


def test_data_folder_in_use(folder):
    lonely = rig.write(f'{folder}/lonely.dg', function('a = zoho.crm.createRecord("Leads",{"Nope":1});'))
    with rig.Server(f'{folder}/own', data=f'{folder}/data'):
        result = command('check', '--data', f'{folder}/data', lonely)
    equal('a data folder in use: exit 1, nothing else', (result.code, result.out, result.err.count('\n')), (1, '', 1))
    matches('… with the reason', result.err, 'another process holds this data folder')


def test_examples(folder):
    for example in ('leads', 'twilio-sms'):
        equal(f'examples/{example} has no wrong names', command('check', f'{rig.ROOT}/examples/{example}').out.count('does not exist'), 0)


for test in (test_wrong_names, test_silence, test_unknown_module, test_hint, test_data_folder, test_data_folder_in_use, test_examples):
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            rig.extension(f'{temporary}/own', 'own', functions={'f': function('info x;')}, files={'modules/things.json': THINGS, 'modules/Leads.json': LEADS})
            test(temporary)
        except Exception as why:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
